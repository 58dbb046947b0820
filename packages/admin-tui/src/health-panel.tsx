import { Box, Text } from 'ink'
import { useHealth } from './use-health.ts'

const colors: Record<string, string> = { up: 'green', degraded: 'yellow', closing: 'yellow', down: 'red' }
const colorOf = (status: string) => colors[status] ?? 'gray'

/** How the server and each of its parts is doing. */
export function HealthPanel({ url }: { url: string }) {
  const { health, problem } = useHealth(url)
  const status = problem ?? health?.status ?? 'asking …'
  return (
    <Box flexDirection="column" borderStyle="round" borderDimColor paddingX={1}>
      <Box justifyContent="space-between">
        <Text>
          Server <Text color={problem ? 'red' : colorOf(status)}>{status}</Text>
        </Text>
        {health && (
          <Text dimColor>
            version {health.version}, up {duration(health.uptime_seconds)}
          </Text>
        )}
      </Box>
      <Text wrap="truncate">
        {Object.entries(health?.parts ?? {}).map(([name, part], index) => (
          <Text key={name} dimColor={problem !== undefined}>
            {index > 0 && '   '}
            {name} <Text color={colorOf(part.status)}>{part.status}</Text> {details(part)}
          </Text>
        ))}
      </Text>
    </Box>
  )
}

function details({
  status,
  latency_ms,
  ...rest
}: {
  status: string
  latency_ms: number
  [detail: string]: string | number | null
}): string {
  return [`${latency_ms} ms`, ...Object.entries(rest).map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`)].join(', ')
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}
