//! Regions of a range of keys, page by page.

use std::num::NonZeroU16;

use futures_util::stream::{self, Stream, TryStreamExt};

use crate::client::Client;
use crate::error::{Error, InputError};
use crate::regions::{Region, read_regions, unhexed};
use crate::transport::Call;

/// The most regions PD gives at a time.
const MOST: u16 = 10_240;

impl Client {
    /// The regions of a range of keys in their order, at most `limit` of them, 10,240 at the most.
    /// Keys are hexadecimal, empty for the first and for the end.
    ///
    /// `GET /regions/key?key=…&end_key=…&limit=…`, all versions. A limit of 0, which PD takes for
    /// none at all, cannot be asked for.
    ///
    /// # Errors
    /// [`InputError::Key`] when a key is not hexadecimal; [`InputError::Argument`] when the range
    /// is empty or the limit too high.
    pub async fn regions_between(
        &self,
        start_key: &str,
        end_key: &str,
        limit: NonZeroU16,
    ) -> Result<Vec<Region>, Error> {
        let call = page(start_key, end_key, limit)?;
        read_regions(&self.read(call).await?)
    }

    /// The regions of a range of keys, read page by page as they are asked for: any number of
    /// them in the memory of one page. Keys are hexadecimal, empty for the first and for the end.
    ///
    /// `GET /regions/key` for each page, all versions.
    ///
    /// ```no_run
    /// # async fn example(pd: pd_client::Client) -> Result<(), pd_client::Error> {
    /// let mut scan = pd.scan_regions("", "")?;
    /// while let Some(page) = scan.next_page().await? {
    ///     println!("{} more regions", page.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`regions_between`](Self::regions_between).
    pub fn scan_regions(&self, start_key: &str, end_key: &str) -> Result<RegionScan, InputError> {
        let limit = NonZeroU16::MIN.saturating_add(1023);
        page(start_key, end_key, limit)?;
        Ok(RegionScan {
            pd: self.clone(),
            next_key: Some(start_key.to_ascii_uppercase()),
            end_key: end_key.to_ascii_uppercase(),
            limit,
        })
    }
}

/// A scan over regions, see [`Client::scan_regions`].
///
/// Regions split and merge while it goes on: one that merges into its left neighbour behind the
/// scan may be seen again as part of that.
#[derive(Debug, Clone)]
#[must_use = "it reads when it is asked to"]
pub struct RegionScan {
    pd: Client,
    /// Where the next page begins; `None` at the end.
    next_key: Option<String>,
    end_key: String,
    limit: NonZeroU16,
}

impl RegionScan {
    /// Reads this many regions at a time, 10,240 at the most. 1,024 by default.
    pub fn page_size(self, regions: NonZeroU16) -> Self {
        Self {
            limit: regions.min(NonZeroU16::MIN.saturating_add(MOST - 1)),
            ..self
        }
    }

    /// The next page, or `None` at the end. After an error the same page is asked for again.
    ///
    /// # Errors
    /// As any read; and [`Error::Decode`] when a page does not go on from the one before.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Region>>, Error> {
        let Some(key) = &self.next_key else {
            return Ok(None);
        };
        let answer = self.pd.read(page(key, &self.end_key, self.limit)?).await?;
        let regions = read_regions(&answer)?;
        let Some(last) = regions.last() else {
            self.next_key = None;
            return Ok(None);
        };
        let end = last.end_key.to_ascii_uppercase();
        if end.is_empty() || (!self.end_key.is_empty() && end >= self.end_key) {
            self.next_key = None;
        } else if end <= *key {
            return Err(
                answer.unreadable(format!("the page after key `{key}` ends before that key"))
            );
        } else {
            self.next_key = Some(end);
        }
        Ok(Some(regions))
    }

    /// The regions one by one. Ends after the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<Region, Error>> + Send {
        let pages = stream::try_unfold(self, |mut scan| async move {
            let page = scan.next_page().await?;
            let regions = |page: Vec<Region>| stream::iter(page.into_iter().map(Ok::<_, Error>));
            Ok::<_, Error>(page.map(|page| (regions(page), scan)))
        });
        pages.try_flatten()
    }
}

/// The call for one page.
fn page(start_key: &str, end_key: &str, limit: NonZeroU16) -> Result<Call, InputError> {
    let (start, end) = (unhexed(start_key)?, unhexed(end_key)?);
    if !end.is_empty() && start >= end {
        let problem = "it is not after the start key";
        return Err(InputError::argument("end key", end_key, problem));
    }
    if limit.get() > MOST {
        let problem = "PD returns at most 10,240 regions at a time";
        return Err(InputError::argument("limit", &limit.to_string(), problem));
    }
    // PD takes raw bytes in every version, and hexadecimal only since 8.2.
    let call = Call::list("/regions/key").query("key", start);
    let call = if end.is_empty() {
        call
    } else {
        call.query("end_key", end)
    };
    Ok(call.query("limit", limit.to_string()))
}
