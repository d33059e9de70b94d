// split.cu: a tensor cut along an axis: as concat.cu, the other way round.
//   split_SIZE: (x, y, i64 rows, i64 run, i64 from_row, i64 to_row)
#include "move.cuh"

CREMA_BY_SIZE(split, copy_rows, (const void* x, void* y, i64 rows, i64 run, i64 from_row, i64 to_row),
              (x, y, rows, run, from_row, to_row))
