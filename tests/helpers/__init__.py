"""What tests share: screens in memory and in files, comparisons, a browser, the accelerator."""
