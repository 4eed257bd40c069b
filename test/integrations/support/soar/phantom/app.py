"""The constants of the platform."""
APP_SUCCESS, APP_ERROR = True, False
