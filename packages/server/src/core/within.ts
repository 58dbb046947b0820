/** Rejects with `message` when `work` takes longer than `msMax`. What becomes of it then is nobody's business any more. */
export async function within<T>(msMax: number, work: Promise<T>, message: string): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(message)), msMax)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
    work.catch(() => {})
  }
}
