"""Every write about accounts, a module for each noun."""
