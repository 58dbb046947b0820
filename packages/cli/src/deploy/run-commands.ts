import { spawn } from 'node:child_process'
import { CommandError, say, styled } from '../terminal.ts'

const installs: Record<string, string> = {
  docker: 'Docker is not installed here: https://docs.docker.com/engine/install says how',
  kubectl: 'kubectl is not installed here: https://kubernetes.io/docs/tasks/tools says how',
  sudo: 'There is no sudo here: become root',
}

/** A command as one would type it. */
export function shown(command: readonly string[]): string {
  return command.map((word) => (/^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ')
}

/** One after another, with this terminal. The first that fails ends it. @throws {CommandError} */
export async function applyCommands(commands: readonly string[][], cwd: string): Promise<void> {
  for (const command of commands) {
    say(styled('dim', `$ ${shown(command)}`))
    const [name, ...args] = command
    const code = await new Promise<number>((resolve, reject) => {
      // What they print is for people: the standard output is for what was asked of us.
      const child = spawn(name!, args, { cwd, stdio: ['inherit', process.stderr, 'inherit'] })
      child.once('error', (cause: NodeJS.ErrnoException) => {
        const why = cause.code === 'ENOENT' ? (installs[name!] ?? `${name} is not there`) : cause.message
        reject(new CommandError(`${why}. The files are written: then run ${shown(command)} in ${cwd}.`, { cause }))
      })
      child.once('close', (exitCode, signal) => resolve(exitCode ?? (signal ? 1 : 0)))
    })
    if (code !== 0)
      throw new CommandError(`${shown(command)} failed with exit code ${code}. The files are written: run it again in ${cwd}.`)
  }
}
