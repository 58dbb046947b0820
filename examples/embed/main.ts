import { createApp } from './app.ts'

const { app } = await createApp()
console.log(`Listening on ${await app.listen({ host: '127.0.0.1', port: Number(process.env.APP_PORT ?? 3000) })}`)

// One close for both: streams end, requests are answered, the database goes last.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close())
