/** Of the Pinstack that this app is for. The browser never talks to it. */
export const url = process.env.PINSTACK_URL ?? 'http://127.0.0.1:8080'
