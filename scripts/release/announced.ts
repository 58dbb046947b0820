/** The part of a changeset that decides: which packages move by how much, and what users are told. */
export interface Announcement {
  releases: { name: string; type: string }[]
  summary: string
}

/**
 * Whether one of these changesets announces that `name` breaks what its last version promised: it moves the package by as much as that
 * takes (a major version; below 1.0 a minor one), and a line of it begins with `Breaking:` and says what to do instead.
 */
export function announced(changesets: Announcement[], { name, version }: { name: string; version: string }): boolean {
  const enough = Number(version.split('.')[0]) < 1 ? ['minor', 'major'] : ['major']
  return changesets.some(
    ({ releases, summary }) =>
      releases.some((release) => release.name === name && enough.includes(release.type)) && /^(\W*)Breaking:\W*\w/im.test(summary),
  )
}
