/**
 * Endings of file names that are no top-level domain, so that `invoice.exe` in a domain field is said to be a file. Endings that are also
 * top-level domains (`.zip`, `.sh`, `.py`, `.com`) stay names.
 */
export const FILE_ENDINGS: ReadonlySet<string> = new Set(
  (
    'exe dll sys drv ocx scr bat cmd vbs vbe vb js jse wsf wsh hta msi msp jar class war ear lnk pif reg inf ini cfg conf cnf config yaml yml toml ' +
    'json xml html htm xhtml php asp aspx jsp cgi css scss csv tsv txt log md5 pdf doc docx docm dotx rtf xls xlsx xlsm xlsb ppt pptx pptm odt ods ' +
    'png jpg jpeg gif bmp svg ico webp tif tiff wav avi mkv mpeg flv gz tgz bz2 xz rar tar iso img vhd vhdx vmdk bin dat db sqlite bak tmp temp swp ' +
    'old orig dmp dump pcap pcapng evtx etl apk ipa deb rpm dmg pkg dylib elf lib obj pdb tsx jsx hpp cpp cxx cs go ipynb bash zsh psm psd ' +
    'eml msg pst ost vcf ics pem crt cer csr pfx jks p7b key asc sig torrent lock gitignore dockerfile'
  ).split(' '),
);
