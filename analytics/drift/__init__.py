"""Dual run: what an older system answers is compared with what the engine answers, before and after the switch."""
