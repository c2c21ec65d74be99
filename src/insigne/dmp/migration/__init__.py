"""From API V1 of the DMP to API V2 with the qualified INS: the five steps, what a site has, its plan, its past."""
