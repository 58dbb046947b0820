import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { DockerfileParser, type Copy, type From, type JSONInstruction } from 'dockerfile-ast'

/** What a build of the image would leave, without an engine that builds images. */
export interface Replayed {
  /** The root of the last stage's file system, with what its instructions put there. */
  dir: string
  /** What the last stage copied in. */
  copied: string[]
  env: Record<string, string>
  user: string
  entrypoint: string[]
  command: string[]
  healthcheck: string[]
}

/** Folders that an instruction may name. Any other would be one of this machine. */
const ours = ['/app', '/build', '/data', '/usr/local']

/**
 * Runs the instructions of a Dockerfile, each stage in a folder of its own below `to` that stands for its root: COPY copies, RUN runs
 * by a shell, with the programs of this machine for those of the base image. Their paths are put below the folder.
 */
export function replay({ context, to, node }: { context: string; to: string; node: string }): Replayed {
  const file = DockerfileParser.parse(readFileSync(join(context, 'Dockerfile'), 'utf8'))
  const stages = new Map<string, string>()
  const args: Record<string, string> = {}
  let result: Replayed = { dir: '', copied: [], env: {}, user: '', entrypoint: [], command: [], healthcheck: [] }
  let workdir = '/'
  for (const instruction of file.getInstructions()) {
    const words = instruction.getArguments().map((argument) => argument.getValue())
    const json = () => (instruction as JSONInstruction).getJSONStrings().map((text) => JSON.parse(text.getValue()) as string)
    switch (instruction.getKeyword()) {
      case 'FROM': {
        const dir = join(to, `stage-${stages.size}`)
        for (const folder of ours.slice(-1)) mkdirSync(join(dir, folder, 'lib/node_modules/npm'), { recursive: true })
        stages.set((instruction as From).getBuildStage() ?? String(stages.size), dir)
        result = { dir, copied: [], env: {}, user: 'root', entrypoint: [], command: [], healthcheck: [] }
        workdir = '/'
        break
      }
      case 'ARG': {
        const [name, value = ''] = words[0]!.split(/=(.*)/s)
        args[name!] = value
        break
      }
      case 'ENV':
        for (const word of words) {
          const [name, value = ''] = word.split(/=(.*)/s)
          result.env[name!] = value
        }
        break
      case 'WORKDIR':
        workdir = words[0]!
        mkdirSync(join(result.dir, workdir), { recursive: true })
        break
      case 'COPY': {
        const from = (instruction as Copy).getFromFlag()?.getValue()
        const source = from ? stages.get(from)! : context
        const target = words.at(-1)!
        const into = join(result.dir, target.startsWith('/') ? target : join(workdir, target))
        if (from) cpSync(join(source, words[0]!), into, { recursive: true, verbatimSymlinks: true })
        else
          for (const name of words.slice(0, -1).flatMap((pattern) => sent(context, pattern)))
            cpSync(join(source, name), join(into, basename(name)))
        result.copied.push(into)
        break
      }
      case 'RUN': {
        const asUser = process.getuid?.() === 0 ? '' : 'chown() { :; }\n' // only root gives files away
        const script = asUser + below(result.dir, instruction.getArgumentsContent()!)
        const env = { PATH: `${node}:${process.env.PATH}`, HOME: join(to, 'home'), ...registry(), ...args }
        execFileSync('sh', ['-ec', script], { cwd: join(result.dir, workdir), env, stdio: 'pipe' })
        break
      }
      case 'USER':
        result.user = words[0]!
        break
      case 'ENTRYPOINT':
        result.entrypoint = json().map((word) => below(result.dir, word))
        break
      case 'CMD':
        result.command = json()
        break
      case 'HEALTHCHECK':
        result.healthcheck = JSON.parse(instruction.getArgumentsContent()!.replace(/^.*?CMD\s+/, ''))
        break
      case 'LABEL':
      case 'VOLUME':
      case 'EXPOSE':
        break
      default:
        throw new Error(`the replay does not know ${instruction.getKeyword()}`)
    }
  }
  return { ...result, env: Object.fromEntries(Object.entries(result.env).map(([name, value]) => [name, below(result.dir, value)])) }
}

/** Files of the context that a pattern names, as far as .dockerignore lets them through: all but those that it makes exceptions of. */
function sent(context: string, pattern: string): string[] {
  const [first, ...exceptions] = readFileSync(join(context, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  if (first !== '*' || exceptions.some((line) => !line.startsWith('!'))) throw new Error('.dockerignore is not the list of what is sent')
  const names = exceptions.map((line) => line.slice(1))
  return globSync(pattern, { cwd: context }).filter((path) => names.includes(path.split(/[/\\]/)[0]!))
}

/** @throws for a path that is none of ours: `rm -rf` of it would be one of this machine's. */
function below(dir: string, text: string): string {
  const replaced = text.replace(new RegExp(`(^|[\\s='":])(${ours.join('|')})(?![\\w-])`, 'g'), `$1${dir}$2`)
  const stray = replaced.split(/[\s='":]+/).find((word) => word.startsWith('/') && !word.startsWith(dir) && !word.startsWith('/dev/null'))
  if (stray) throw new Error(`the replay would touch ${stray} of this machine`)
  return replaced
}

/** Where npm finds packages is this machine's affair. */
function registry(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name]) =>
    /^(npm_config_|NODE_EXTRA_CA_CERTS|SSL_CERT|https?_proxy|no_proxy)/i.test(name),
  )
  const config = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim()
  return { npm_config_registry: config, ...Object.fromEntries(entries.map(([name, value]) => [name, value!])) }
}
