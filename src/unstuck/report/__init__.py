"""Records in, pages out: a report as JSON, on the terminal and as one HTML file.

Everything here works on the plain report dict, schema ``unstuck.report/1`` (``assets/report.schema.json``).
"""
