// A bot: follows back whoever follows it, greets them once, and welcomes them in a post, until it is stopped. What happens while it is
// away it makes up for when it comes back.
//
//   BOT_PASSWORD='correct horse' node main.js [http://127.0.0.1:8080]
import { createPinstack, isPinstackError } from '@pinstack/sdk'

const { BOT_NAME: username = 'greeter', BOT_PASSWORD: password } = process.env
if (!password) throw new Error('BOT_PASSWORD is not set.')

const pinstack = createPinstack({ url: process.argv[2] ?? 'http://127.0.0.1:8080' })
const me = await signIn()

const stopped = new AbortController()
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => stopped.abort())

// The stream begins first, so that nobody falls between it and the list.
let round = Promise.resolve()
const onStatus = ({ state }) => state === 'live' && (round = round.then(greetAll).catch(fail))
for await (const change of pinstack.live.relations({ signal: stopped.signal, onStatus })) {
  if (change.type === 'followed' && change.user) await greet({ userId: change.userId, username: change.user.username })
}
await round
await pinstack.logout()
console.log('stopped')

async function signIn() {
  try {
    return await pinstack.register({ username, email: `${username}@bots.example`, password, fullName: 'A bot' })
  } catch (error) {
    if (!isPinstackError(error, 'users.username_taken', 'users.email_taken')) throw error
    return pinstack.login({ login: username, password })
  }
}

/** Also after each interruption; who has been greeted already is passed by. */
async function greetAll() {
  for await (const follower of pinstack.relations.followers(me.id)) {
    if (stopped.signal.aborted) return
    await greet(follower)
  }
  console.log('ready')
}

async function greet(follower) {
  try {
    // `follow` says whether that is new, which makes it the bot's memory, too: it survives a restart.
    if (!(await pinstack.relations.follow(follower.userId))) return
    await pinstack.notifications.send({ userId: follower.userId, type: 'greeting', payload: { text: `Hello ${follower.username}!` } })
    await pinstack.posts.create({ title: `Welcome, ${follower.username}`, content: 'Nice to have you here.', tags: ['welcome'] })
    console.log('greeted', follower.username)
  } catch (error) {
    if (!isPinstackError(error, 'users.not_found')) throw error // gone as fast as they came
  }
}

function fail(error) {
  console.error(error)
  process.exitCode = 1
  stopped.abort()
}
