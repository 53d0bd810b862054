"""Mettler-Toledo XPR micro balance: weighs what the pump delivers, over MT-SICS."""
