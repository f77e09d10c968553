package store

const sysSeccomp = 277
