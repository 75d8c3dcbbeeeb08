//! Vectors from numpy.

use numpy::{PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::embeddings::Vectors;

/// The rows of an array of shape (n, dimension) and type float32.
///
/// This is the one copy between numpy and Rust: a `memcpy` where the array is contiguous row by row, as the service's arrays are, and
/// value by value where it is a view with gaps. A read-only array is read like any other. The copy is made while attached, because
/// the array might be written once this thread lets go; 50 rows of 768 values take about 10 µs.
pub(super) fn vectors(array: &Bound<'_, PyAny>) -> PyResult<Vectors> {
    let array: &Bound<'_, PyArrayDyn<f32>> = array
        .cast()
        .map_err(|_| PyTypeError::new_err(format!("a float32 array was expected, not {}", array.get_type())))?;
    let &[rows, dimension] = array.shape() else {
        return Err(PyTypeError::new_err(format!("an array of two axes was expected, not of {}", array.ndim())));
    };
    let readable: PyReadonlyArrayDyn<'_, f32> = array.try_readonly()?;
    let view = readable.as_array(); // numpy's own `as_slice` also accepts an array that is contiguous column by column
    let values = view.as_slice().map_or_else(|| view.iter().copied().collect(), <[f32]>::to_vec);
    Vectors::new(values, rows, dimension).map_err(|error| PyTypeError::new_err(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::with_python;

    fn read(made_by: &std::ffi::CStr) -> crate::Result<Vectors> {
        with_python(|py| {
            let names = pyo3::types::PyDict::new(py);
            names.set_item("np", py.import("numpy")?)?;
            vectors(&py.eval(made_by, Some(&names), None)?)
        })
    }

    #[test]
    fn arrays_of_every_layout_give_their_rows() {
        let rows = |made: Vectors| made.rows().map(<[f32]>::to_vec).collect::<Vec<_>>();
        let whole = vec![vec![0.0, 1.0, 2.0], vec![3.0, 4.0, 5.0]];
        let read_only = read(c"np.frombuffer(np.arange(6, dtype='float32').tobytes(), 'float32').reshape(2, 3)");
        assert_eq!(rows(read_only.expect("bytes cannot be written")), whole);
        assert_eq!(
            rows(read(c"np.asfortranarray(np.arange(6, dtype='float32').reshape(2, 3))").expect("columns first")),
            whole
        );
        assert_eq!(
            rows(read(c"np.repeat(np.arange(6, dtype='float32'), 2).reshape(2, 6)[:, ::2]").expect("gaps")),
            whole
        );
        assert_eq!(
            rows(read(c"np.arange(6, dtype='float32').reshape(2, 3)[::-1]").expect("backwards")),
            [whole[1].clone(), whole[0].clone()]
        );
        let none = read(c"np.empty((0, 3), 'float32')").expect("no rows");
        assert_eq!((none.len(), none.dimension()), (0, 3));
    }

    #[test]
    fn what_is_no_matrix_of_float32_is_refused() {
        for (made_by, said) in [
            (c"np.zeros((2, 3), 'float64')", "a float32 array was expected"),
            (c"np.zeros(3, 'float32')", "of two axes was expected, not of 1"),
            (c"[[1.0, 2.0]]", "not <class 'list'>"),
        ] {
            let error = read(made_by).expect_err("refused");
            assert!(error.problem().message.contains(said), "{error}");
        }
    }
}
