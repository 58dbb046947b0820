interface AvatarProps {
  username: string
  avatarUrl?: string | null
  size?: 'small' | 'large'
}

/** A picture, or the first letter on a colour that is always the same for a name. */
export function Avatar({ username, avatarUrl, size }: AvatarProps) {
  return (
    <span className={`avatar ${size ?? ''}`} style={{ '--hue': hueOf(username) } as object} aria-hidden="true">
      {avatarUrl ? <img src={avatarUrl} alt="" /> : username.slice(0, 1).toUpperCase()}
    </span>
  )
}

export function hueOf(name: string): number {
  return [...name.toLowerCase()].reduce((hue, letter) => (hue * 31 + letter.codePointAt(0)!) % 360, 7)
}
