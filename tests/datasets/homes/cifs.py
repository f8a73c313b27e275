"""CIFs in the form in which pymatgen writes them."""

FACE_CENTRED = [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]


def p1(a, elements, arrangement):
    """A cubic cell (Å) with every atom: "face-centred" (8, rock salt) or "primitive" (2, caesium chloride)."""
    if arrangement == "primitive":
        places = [(0, 0, 0), (0.5, 0.5, 0.5)]
    else:
        places = FACE_CENTRED + [tuple((x + 0.5) % 1 for x in place) for place in FACE_CENTRED]
    lines = ["# generated using pymatgen", "data_X", "_symmetry_space_group_name_H-M   'P 1'"]
    lines += [f"_cell_length_{axis}   {a:.8f}" for axis in "abc"]
    lines += [f"_cell_angle_{angle}   90.00000000" for angle in ("alpha", "beta", "gamma")]
    lines += ["loop_", " _symmetry_equiv_pos_site_id", " _symmetry_equiv_pos_as_xyz", "  1  'x, y, z'", "loop_"]
    lines += [f" _atom_site_{tag}" for tag in ("type_symbol", "label", "symmetry_multiplicity")]
    lines += [f" _atom_site_{tag}" for tag in ("fract_x", "fract_y", "fract_z", "occupancy")]
    for n, (element, place) in enumerate(zip(elements, places, strict=True)):
        lines.append(f"  {element}  {element}{n}  1  " + "  ".join(f"{x:.8f}" for x in place) + "  1")
    return "\n".join(lines) + "\n"


DOPED = """# generated using pymatgen
data_Sr1Ag0.02Ge2Pd1.98
_symmetry_space_group_name_H-M   I4/mmm
_cell_length_a   4.43867200
_cell_length_b   4.43867200
_cell_length_c   6.03054834
_cell_angle_alpha   111.59328752
_cell_angle_beta   111.59328752
_cell_angle_gamma   89.99999999
_symmetry_Int_Tables_number   139
loop_
 _symmetry_equiv_pos_site_id
 _symmetry_equiv_pos_as_xyz
  1  'x, y, z'
  2  '-x, -y, -z'
  3  '-y+z, x, z'
  4  'y-z, -x, -z'
  5  '-x+z, -y+z, z'
  6  'x-z, y-z, -z'
  7  'y, -x+z, z'
  8  '-y, x-z, -z'
  9  'x-z, -y, -z'
  10  '-x+z, y, z'
  11  '-y, -x, -z'
  12  'y, x, z'
  13  '-x, y-z, -z'
  14  'x, -y+z, z'
  15  'y-z, x-z, -z'
  16  '-y+z, -x+z, z'
loop_
 _atom_site_type_symbol
 _atom_site_label
 _atom_site_symmetry_multiplicity
 _atom_site_fract_x
 _atom_site_fract_y
 _atom_site_fract_z
 _atom_site_occupancy
  Sr  Sr0  1  0.00000000  0.00000000  0.00000000  1.0
  Ge  Ge1  2  0.37057000  0.37057000  0.74114000  1.0
  Pd  Pd2  2  0.25000000  0.75000000  0.50000000  0.99
  Ag  Ag3  2  0.25000000  0.75000000  0.50000000  0.01
"""
"""One file of 3DSC (CC BY 4.0, Sommer et al. 2023; structure of the Materials Project)."""
