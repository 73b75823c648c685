process.exitCode = 125
