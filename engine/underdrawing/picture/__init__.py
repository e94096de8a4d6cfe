"""Pictures and primitives as arrays: depths, planes, palettes, masks, region tools, compositing. No torch here."""
