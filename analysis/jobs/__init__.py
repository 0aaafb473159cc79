"""Runs made on a server: uploads opened, data sets described, one run after the other in a process of its own."""
