import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** A new, empty database on `server`, which is a URL whose user may create databases. */
export async function newPostgresDatabase(server: string) {
  const name = `bench_${randomBytes(6).toString('hex')}`
  const admin = new pg.Client(server)
  await admin.connect()
  await admin.query(`create database ${name}`)
  const url = new URL(server)
  url.pathname = name
  return {
    name,
    url: url.href,
    async drop() {
      await admin.query(`drop database ${name} with (force)`)
      await admin.end()
    },
  }
}
