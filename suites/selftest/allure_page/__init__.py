"""What Allure 3 makes of a run's result files, in a real browser; needs Chromium, Node.js and npm."""
