// Checks a package by Elastic's own package-spec, leaving out what its validation.yml leaves out.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/elastic/package-spec/v3/code/go/pkg/specerrors"
	"github.com/elastic/package-spec/v3/code/go/pkg/validator"
)

func main() {
	err := validator.ValidateFromPath(os.Args[1])
	var found specerrors.ValidationErrors
	if errors.As(err, &found) {
		config, configErr := specerrors.LoadConfigFilter(os.DirFS(os.Args[1]))
		if configErr == nil && config != nil {
			result, filterErr := specerrors.NewFilter(config).Run(found)
			if filterErr != nil {
				fmt.Println(filterErr)
				os.Exit(1)
			}
			err = result.Processed
		}
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("valid")
}
