/** Who calls, as the transport saw it. For session lists, rate limits and the audit trail; never for authorisation. */
export interface Client {
  /** Remote address, after the proxies that the configuration trusts. */
  address: string
  /** The user agent as sent, cut to `deviceCharsMax`. */
  device: string
}

export const deviceCharsMax = 256
