"""Runs as Allure shows them: result files made from the record, and the page that Allure 3 makes of these."""
