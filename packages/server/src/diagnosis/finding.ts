/** What a look at one part found. */
export interface Finding {
  check: string
  /** A warning is not wrong yet. */
  status: 'good' | 'warning' | 'wrong'
  /** A sentence: what was found. Nothing secret. */
  found: string
  /** What to do about it; only where something is to be done. */
  fix?: string
}

export const good = (check: string, found: string): Finding => ({ check, status: 'good', found })
export const warning = (check: string, found: string, fix: string): Finding => ({ check, status: 'warning', found, fix })
export const wrong = (check: string, found: string, fix: string): Finding => ({ check, status: 'wrong', found, fix })
