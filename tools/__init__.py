"""Tools of the house: word catalogues, screenshots, system programs."""
