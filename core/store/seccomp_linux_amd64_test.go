package store

const sysSeccomp = 317
