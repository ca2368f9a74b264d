"""The families of facts, one declaration per file. The engine in analytics.rollups and analytics.windows reads them."""
