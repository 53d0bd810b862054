"""Recipes for CI servers, run on the virtual bench: `tox run -e nights`. Not responsible for what their files say."""
