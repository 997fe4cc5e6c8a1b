"""Hongyan 鸿雁: a self-hosted CRM with e-mail marketing inside."""

__version__ = "0.1.0"
