'use server'

import { redirect } from 'next/navigation'
import { isPinstackError } from '@pinstack/sdk'
import { pinstackOfAction } from '../pinstack.js'

/** Signs in who is known, and registers who is not: the cookie is set either way. */
export async function enter(form) {
  const [username, password, isNew] = [form.get('username'), form.get('password'), form.get('intent') === 'register']
  const pinstack = await pinstackOfAction()
  try {
    if (isNew) await pinstack.register({ username, email: form.get('email'), password })
    else await pinstack.login({ login: username, password })
  } catch (error) {
    if (!isPinstackError(error)) throw error
    redirect(`/?problem=${encodeURIComponent(error.message)}`)
  }
  redirect('/')
}

export async function leave() {
  const pinstack = await pinstackOfAction()
  await pinstack.logout()
  redirect('/')
}

export async function write(form) {
  const pinstack = await pinstackOfAction()
  try {
    await pinstack.posts.create({ title: form.get('title'), content: form.get('content') })
  } catch (error) {
    if (!isPinstackError(error)) throw error
    redirect(`/?problem=${encodeURIComponent(error.issues[0]?.message ?? error.message)}`)
  }
  redirect('/')
}
