"""GIMP 3 and Krita 5.2 for the tests: a Debian 13 in a folder, and how programs are run in there."""
