# SPDX-License-Identifier: GPL-2.0
"""Benchmarks against the host and against an installed peer."""
