import { PinstackProvider } from '@pinstack/sdk/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { pinstack } from './pinstack.ts'
import './style.css'

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <PinstackProvider client={pinstack}>
      <App />
    </PinstackProvider>
  </StrictMode>,
)
