"""The keystore: data keys, recipients, rules, drives, cartridges and the audit chain in one sealed SQLite file.

Importing this package opens nothing; the database library is loaded by the modules that touch the file.
"""
