"""What both ends of the wire share. The standard library and zmq, nothing else; Python 3.9 and newer.

The installer copies this folder into the plug-ins of GIMP and Krita.
"""
