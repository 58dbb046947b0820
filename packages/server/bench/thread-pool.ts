/** As bin/pinstack.js does for the product; before anything uses the pool, so imported first. Child processes inherit it. */
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, 2 * navigator.hardwareConcurrency + 2))
