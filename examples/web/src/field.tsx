import { useId, type InputHTMLAttributes } from 'react'

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  name: string
  label: string
  hint?: string | undefined
  error?: string | undefined
}

/** An input with its label, and what is wrong with it. */
export function Field({ label, hint, error, ...input }: FieldProps) {
  const id = useId()
  const note = error ?? hint
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input {...input} id={id} aria-invalid={error !== undefined} aria-describedby={note === undefined ? undefined : `${id}-note`} />
      {note !== undefined && (
        <small id={`${id}-note`} className={error === undefined ? '' : 'bad'}>
          {note}
        </small>
      )}
    </div>
  )
}
