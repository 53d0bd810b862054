"""Signatures with a key on a token and with time stamps, which need SoftHSM and OpenSSL."""
