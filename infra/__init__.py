"""Wainwright's infrastructure as AWS CDK constructs: one for each box of the picture, composed in ``stack``."""
