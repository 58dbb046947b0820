// Registers a user, changes the profile, finds it again and signs out, with the SDK.
//
//   node main.js [http://127.0.0.1:8080]
import { createPinstack, isPinstackError } from '@pinstack/sdk'

const pinstack = createPinstack({ url: process.argv[2] ?? 'http://127.0.0.1:8080' })
pinstack.onAuthChange((change) => console.log('auth:', change.state))

const username = `ada${Date.now()}`
const me = await pinstack.register({ username, email: `${username}@example.com`, password: 'correct horse' })
console.log(`Hello ${me.username}, you are number ${me.id}.`)

await pinstack.users.update({ fullName: 'Ada Lovelace' })
for await (const user of pinstack.users.search(username)) console.log('found:', user.username, '-', user.fullName)

try {
  await pinstack.register({ username, email: 'another@example.com', password: 'correct horse' })
} catch (error) {
  if (!isPinstackError(error, 'users.username_taken')) throw error
  console.log('as expected:', error.message)
}

await pinstack.logout()
