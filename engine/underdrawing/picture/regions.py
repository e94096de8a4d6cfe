"""Region tools on all planes of a primitive together: move, scale, mirror, copy and remove a part.

Public: `RegionEdit(primitive, mask)`, `region_at(primitive, x, y)`, `region_of_class(primitive, name)`,
`move(primitive, region, dx, dy)`, `copy(primitive, region, dx, dy)`, `scale(primitive, region, factor, centre=None)`,
`mirror(primitive, region, axis="horizontal")`, `remove(primitive, region)`. A region is an (H, W) mask.
"""
