// concat.cu: tensors joined along an axis: of each, rows are copied to their place among the rows of the whole.
//   concat_SIZE: (x, y, i64 rows, i64 run, i64 from_row, i64 to_row): rows of `run` elements of SIZE bytes, from_row and to_row
//   apart. 256 threads; grid: any, about rows run / 256 blocks. Reads and writes each element once.
#include "move.cuh"

CREMA_BY_SIZE(concat, copy_rows, (const void* x, void* y, i64 rows, i64 run, i64 from_row, i64 to_row),
              (x, y, rows, run, from_row, to_row))
