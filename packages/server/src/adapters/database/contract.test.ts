import { onEachDriver, useDatabase } from '../../../test/drivers.ts'
import { databaseContract, type ScratchTables } from '../../ports/database.contract.ts'

onEachDriver('database', (driver) => {
  const opened = useDatabase<ScratchTables>(driver)
  databaseContract(
    driver,
    async () => opened.database,
    () => opened.openAgain(),
  )
})
