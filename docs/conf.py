"""How the user guide is built: `make docs`."""

project = "sfconnector"
copyright = "the sfconnector developers, Apache-2.0"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "sfconnector"
exclude_patterns = ["*.py", "*.yaml"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_preserve_defaults = True
