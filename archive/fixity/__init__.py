"""Fixity 四性检测: that what is kept is authentic, whole, usable and safe (P13.2; DA/T 70-2018)."""
