"""S13 and S13': the 4G interface, ME-Identity-Check over Diameter."""
