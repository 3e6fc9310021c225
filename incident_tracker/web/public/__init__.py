"""Pages for everybody: no account, no cookies, nothing from elsewhere, in the controller's name and colour."""
