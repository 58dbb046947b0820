// Loaded into what scripts/enter.cjs runs: a server or a test run does not outlive the command that started it.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
process.channel?.unref()
