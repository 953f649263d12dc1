-- Makes the rows of the products %(ids)s what the catalogue and the ratings say now, in one
-- statement and so from one snapshot. Rows that are right already are left untouched; the ids of
-- products of which some row was written come back.
WITH RECURSIVE
wanted AS MATERIALIZED (SELECT unnest(%(ids)s::uuid[]) AS id),
product AS MATERIALIZED (
    SELECT product.*,
        brand.slug AS brand_slug, brand.name AS brand_name,
        category.slug AS category_slug, category.name AS category_name,
        coalesce(rating.count, 0) AS reviews, rating.average,
        rating.stars_1, rating.stars_2, rating.stars_3, rating.stars_4, rating.stars_5
    FROM wanted
    JOIN catalog_product AS product USING (id)
    LEFT JOIN catalog_brand AS brand ON brand.id = product.brand_id
    LEFT JOIN catalog_category AS category ON category.id = product.category_id
    LEFT JOIN reviews_productrating AS rating ON rating.product_id = product.id
    WHERE product.status = 'published'
        AND (product.unpublish_at IS NULL OR product.unpublish_at > now())
        AND EXISTS (SELECT FROM catalog_variant WHERE product_id = product.id)
),
variant AS MATERIALIZED (
    SELECT variant.*,
        ARRAY(SELECT key || '=' || value FROM jsonb_each_text(variant.options) ORDER BY key)
            || CASE WHEN variant.is_in_stock THEN ARRAY['in_stock'] END AS tokens
    FROM product JOIN catalog_variant AS variant ON variant.product_id = product.id
),
lead AS MATERIALIZED (
    SELECT DISTINCT ON (product_id) product_id, price_amount, compare_at_amount,
        bool_or(is_in_stock) OVER siblings AS in_stock,
        count(*) OVER siblings AS variant_count
    FROM variant WINDOW siblings AS (PARTITION BY product_id)
    ORDER BY product_id, price_amount, position, id
),
matched AS (
    SELECT product_id, jsonb_agg(to_jsonb(tokens) ORDER BY position, id) AS variants
    FROM variant GROUP BY product_id
),
climb AS (
    SELECT DISTINCT category_id AS leaf, category_id AS id, 0 AS up
    FROM product WHERE category_id IS NOT NULL
    UNION ALL
    SELECT climb.leaf, category.parent_id, climb.up + 1
    FROM climb JOIN catalog_category AS category USING (id)
    WHERE category.parent_id IS NOT NULL
),
path AS MATERIALIZED (
    SELECT leaf,
        array_agg(category.id ORDER BY up DESC) AS ids,
        string_agg(name, ' ') AS words,
        '[' || string_agg(
            format('{"slug":%%s,"name":%%s}', to_json(slug), to_json(name)), ',' ORDER BY up DESC
        ) || ']' AS breadcrumbs
    FROM climb JOIN catalog_category AS category USING (id) GROUP BY leaf
),
picture AS MATERIALIZED (
    SELECT image.product_id, image.position, image.id, image.width,
        %(media)s || image.file AS url, image.alt, image.height, thumbnail.files,
        '{' || coalesce(thumbnail.urls, '') || '}' AS urls
    FROM product JOIN catalog_productimage AS image ON image.product_id = product.id
    CROSS JOIN LATERAL (
        SELECT string_agg(to_json(key)::text || ':' || to_json(%(media)s || value)::text, ',') AS urls,
            jsonb_object_agg(key, value) AS files
        FROM jsonb_each_text(image.thumbnails)
    ) AS thumbnail
),
cover AS MATERIALIZED (
    SELECT DISTINCT ON (product_id) product_id,
        CASE WHEN files ? '480' AND width > 0 AND height > 0 THEN row_to_json((
            SELECT shown FROM (SELECT %(media)s || (files ->> '480') AS url, alt,
                least(480, width) AS width,
                round(height::numeric * least(480, width) / width)::integer AS height,
                urls::json AS thumbnails) AS shown
        )) ELSE row_to_json((
            SELECT shown FROM (SELECT url, alt, width, height, urls::json AS thumbnails) AS shown
        )) END AS image
    FROM picture ORDER BY product_id, position, id
),
pictures AS (
    SELECT product_id, '[' || string_agg(row_to_json((
        SELECT shown FROM (SELECT id, url, alt, width, height, urls::json AS thumbnails) AS shown
    ))::text, ',' ORDER BY position, id) || ']' AS images
    FROM picture GROUP BY product_id
),
-- Which pictures show a variant, by its id; the product's first one, by no id, shows the others, or
-- all when none has its own: that is looked up quicker.
variant_pictures AS (
    SELECT product_id, CASE WHEN max(variant) = '' THEN (array_agg(images))[1]
        ELSE jsonb_object_agg(variant, images) END AS images
    FROM (
        SELECT variant.product_id, variant.id::text AS variant,
            jsonb_agg(link.image_id ORDER BY link.position, link.id) AS images
        FROM variant JOIN catalog_variantimage AS link ON link.variant_id = variant.id
        GROUP BY variant.product_id, variant.id
        UNION ALL
        SELECT product_id, '', jsonb_build_array((array_agg(id ORDER BY position, id))[1])
        FROM picture GROUP BY product_id
    ) AS each GROUP BY product_id
),
-- The product's own attributes, one row per value, in the order of its type.
said AS MATERIALIZED (
    SELECT product.id AS product_id, use.position, use.id AS use_id,
        attribute.code, attribute.name, attribute.kind, attribute.unit,
        product.attributes -> attribute.code AS value, each.item, each.place, choice.label
    FROM product
    JOIN catalog_typeattribute AS use
        ON use.product_type_id = product.product_type_id AND NOT use.is_option
    JOIN catalog_attribute AS attribute ON attribute.id = use.attribute_id
    CROSS JOIN LATERAL jsonb_array_elements_text(
        CASE jsonb_typeof(product.attributes -> attribute.code)
            WHEN 'array' THEN product.attributes -> attribute.code
            ELSE jsonb_build_array(product.attributes -> attribute.code) END
    ) WITH ORDINALITY AS each (item, place)
    LEFT JOIN catalog_choice AS choice
        ON choice.attribute_id = attribute.id AND choice.code = each.item
    WHERE product.attributes ? attribute.code
),
described AS (
    SELECT product_id,
        '[' || string_agg(shown, ',' ORDER BY position, use_id) || ']' AS attributes,
        string_agg(words, ' ') AS words
    FROM (
        SELECT product_id, position, use_id, row_to_json((
                SELECT attribute FROM (SELECT code, name, value,
                    CASE WHEN kind IN ('choice', 'choices')
                        THEN string_agg(coalesce(label, item), ', ' ORDER BY place) END AS label,
                    nullif(unit, '') AS unit) AS attribute
            ))::text AS shown,
            CASE WHEN kind IN ('choice', 'choices', 'text')
                THEN string_agg(coalesce(label, item), ' ') END AS words
        FROM said GROUP BY product_id, position, use_id, code, name, value, kind, unit
    ) AS attribute GROUP BY product_id
),
tokens AS (
    SELECT product_id, array_agg(DISTINCT code || '=' || CASE kind
        WHEN 'text' THEN lower(left(item, 64)) ELSE item END) AS attributes
    FROM said WHERE kind IN ('choice', 'choices', 'boolean', 'text') GROUP BY product_id
),
number AS MATERIALIZED (
    SELECT product_id, code, CASE
        WHEN kind = 'number' AND jsonb_typeof(value) = 'number' THEN value::double precision
        WHEN kind = 'date' AND pg_input_is_valid(item, 'date') THEN item::date - date '1970-01-01'
        END AS value
    FROM said WHERE kind IN ('number', 'date') AND place = 1
),
chosen AS MATERIALIZED (
    SELECT DISTINCT variant.product_id, each.key AS code, each.value
    FROM variant CROSS JOIN LATERAL jsonb_each_text(variant.options) AS each
),
chosen_tokens AS (
    SELECT product_id, array_agg(code || '=' || value ORDER BY code, value) AS options
    FROM chosen GROUP BY product_id
),
optional AS (
    SELECT product_id,
        '[' || string_agg(shown, ',' ORDER BY position, use_id) || ']' AS options,
        string_agg(words, ' ') AS words
    FROM (
        SELECT product.id AS product_id, use.position, use.id AS use_id,
            format('{"code":%%s,"name":%%s,"values":[%%s]}',
                to_json(attribute.code), to_json(attribute.name),
                string_agg(format('{"value":%%s,"label":%%s}', to_json(choice.code),
                    to_json(choice.label)), ',' ORDER BY choice.position, choice.label)) AS shown,
            string_agg(choice.label, ' ') AS words
        FROM product
        JOIN catalog_typeattribute AS use
            ON use.product_type_id = product.product_type_id AND use.is_option
        JOIN catalog_attribute AS attribute ON attribute.id = use.attribute_id
        JOIN chosen ON chosen.product_id = product.id AND chosen.code = attribute.code
        JOIN catalog_choice AS choice
            ON choice.attribute_id = attribute.id AND choice.code = chosen.value
        GROUP BY product.id, use.position, use.id, attribute.code, attribute.name
    ) AS option GROUP BY product_id
),
fresh AS MATERIALIZED (
    SELECT product.id AS product_id,
        row_to_json((SELECT card FROM (SELECT product.id, product.slug, product.name,
            link.brand, link.category,
            (SELECT money FROM (SELECT lead.price_amount AS amount, %(currency)s AS currency)
                AS money) AS price,
            CASE WHEN lead.compare_at_amount IS NOT NULL THEN row_to_json((SELECT money FROM
                (SELECT lead.compare_at_amount AS amount, %(currency)s AS currency) AS money))
                END AS compare_at_price,
            cover.image,
            (SELECT rating FROM (SELECT product.average, product.reviews AS count) AS rating)
                AS rating,
            lead.in_stock, lead.variant_count) AS card))::text AS card,
        row_to_json((SELECT page FROM (SELECT product.id, product.slug, product.name,
            link.brand, link.category, cover.image, product.description,
            coalesce(described.attributes, '[]')::json AS attributes,
            coalesce(optional.options, '[]')::json AS options,
            coalesce(pictures.images, '[]')::json AS images,
            coalesce(path.breadcrumbs, '[]')::json AS breadcrumbs,
            (SELECT seo FROM (SELECT
                coalesce(nullif(product.seo_title, ''), product.name) AS title,
                coalesce(nullif(product.seo_description, ''), left(btrim(regexp_replace(
                    left(product.description, 20000), '(<[^>]*(>|$)|\s)+', ' ', 'g')), 300))
                    AS description) AS seo) AS seo,
            (SELECT rating FROM (SELECT product.average, product.reviews AS count,
                (SELECT stars FROM (SELECT
                    coalesce(product.stars_1, 0) AS "1", coalesce(product.stars_2, 0) AS "2",
                    coalesce(product.stars_3, 0) AS "3", coalesce(product.stars_4, 0) AS "4",
                    coalesce(product.stars_5, 0) AS "5") AS stars) AS histogram) AS rating)
                AS rating) AS page))::text AS page,
        setweight(listing_words(product.name), 'A')
            || setweight(listing_words(concat_ws(' ', product.brand_name, path.words)), 'B')
            || setweight(listing_words(left(
                concat_ws(' ', described.words, optional.words), 20000)), 'C')
            || setweight(listing_words(regexp_replace(
                left(product.description, 20000), '<[^>]*>', ' ', 'g')), 'D')
            AS words,
        listing_name_words(product.name) AS name_words,
        coalesce(tokens.attributes, '{}') AS attributes,
        coalesce(chosen_tokens.options, '{}') AS options, matched.variants,
        coalesce(variant_pictures.images, '[]') AS variant_images,
        coalesce(path.ids, '{}') AS categories,
        product.brand_id, lead.price_amount AS price,
        coalesce(product.average, 0) AS stars, product.reviews, lead.in_stock,
        product.publish_at, product.unpublish_at, uuid_hash(product.id) AS sample,
        pg_current_xact_id() AS moved_by
    FROM product
    JOIN lead ON lead.product_id = product.id
    JOIN matched ON matched.product_id = product.id
    LEFT JOIN path ON path.leaf = product.category_id
    LEFT JOIN cover ON cover.product_id = product.id
    LEFT JOIN pictures ON pictures.product_id = product.id
    LEFT JOIN variant_pictures ON variant_pictures.product_id = product.id
    LEFT JOIN described ON described.product_id = product.id
    LEFT JOIN tokens ON tokens.product_id = product.id
    LEFT JOIN chosen_tokens ON chosen_tokens.product_id = product.id
    LEFT JOIN optional ON optional.product_id = product.id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN product.brand_id IS NOT NULL THEN row_to_json((SELECT link FROM
                (SELECT product.brand_slug AS slug, product.brand_name AS name) AS link)) END AS brand,
            CASE WHEN product.category_id IS NOT NULL THEN row_to_json((SELECT link FROM
                (SELECT product.category_slug AS slug, product.category_name AS name) AS link))
                END AS category
    ) AS link
),
place AS MATERIALIZED (
    SELECT shelf_id, fresh.*
    FROM fresh CROSS JOIN LATERAL unnest(categories || brand_id || %(whole_shop)s) AS shelf_id
    WHERE shelf_id IS NOT NULL
),
listed AS (
    INSERT INTO listing_listedproduct AS listed (product_id, card, page, words, name_words, attributes, options,
        variants, variant_images, categories, brand_id, price, stars, reviews, in_stock, publish_at, unpublish_at, sample,
        moved_by)
    SELECT * FROM fresh
    ON CONFLICT (product_id) DO UPDATE SET
        card = excluded.card, page = excluded.page, words = excluded.words,
        name_words = excluded.name_words,
        attributes = excluded.attributes, options = excluded.options,
        variants = excluded.variants, variant_images = excluded.variant_images,
        categories = excluded.categories, brand_id = excluded.brand_id, price = excluded.price,
        stars = excluded.stars, reviews = excluded.reviews, in_stock = excluded.in_stock,
        publish_at = excluded.publish_at, unpublish_at = excluded.unpublish_at,
        sample = excluded.sample, moved_by = excluded.moved_by
    WHERE (listed.card, listed.page, listed.words, listed.name_words, listed.attributes, listed.options,
            listed.variants, listed.variant_images, listed.categories, listed.publish_at,
            listed.unpublish_at)
        IS DISTINCT FROM (excluded.card, excluded.page, excluded.words, excluded.name_words, excluded.attributes,
            excluded.options, excluded.variants, excluded.variant_images, excluded.categories,
            excluded.publish_at, excluded.unpublish_at)
    RETURNING product_id
),
unlisted AS (
    DELETE FROM listing_listedproduct AS listed USING wanted
    WHERE listed.product_id = wanted.id
        AND NOT EXISTS (SELECT FROM fresh WHERE product_id = wanted.id)
    RETURNING product_id
),
shelved AS (
    INSERT INTO listing_shelfplace AS place (shelf_id, product_id, brand_id, price, stars, reviews,
        in_stock, publish_at, unpublish_at, sample, moved_by)
    SELECT shelf_id, product_id, brand_id, price, stars, reviews, in_stock, publish_at,
        unpublish_at, sample, moved_by FROM place
    ON CONFLICT (shelf_id, product_id) DO UPDATE SET
        brand_id = excluded.brand_id, price = excluded.price, stars = excluded.stars,
        reviews = excluded.reviews, in_stock = excluded.in_stock,
        publish_at = excluded.publish_at, unpublish_at = excluded.unpublish_at,
        sample = excluded.sample, moved_by = excluded.moved_by
    WHERE (place.brand_id, place.price, place.stars, place.reviews, place.in_stock,
            place.publish_at, place.unpublish_at)
        IS DISTINCT FROM (excluded.brand_id, excluded.price, excluded.stars, excluded.reviews,
            excluded.in_stock, excluded.publish_at, excluded.unpublish_at)
    RETURNING product_id
),
-- The row as it was names the shelves on which the product stood.
unshelved AS (
    DELETE FROM listing_shelfplace AS place
    USING wanted JOIN listing_listedproduct AS before ON before.product_id = wanted.id,
        unnest(before.categories || before.brand_id || %(whole_shop)s) AS left_shelf
    WHERE place.shelf_id = left_shelf AND place.product_id = wanted.id
        AND NOT EXISTS (SELECT FROM place AS kept
            WHERE kept.shelf_id = left_shelf AND kept.product_id = wanted.id)
    RETURNING place.product_id
),
numbered AS (
    INSERT INTO listing_listednumber AS listed (product_id, code, value)
    SELECT product_id, code, value FROM number WHERE value IS NOT NULL
    ON CONFLICT (product_id, code) DO UPDATE SET value = excluded.value
    WHERE listed.value <> excluded.value
    RETURNING product_id
),
unnumbered AS (
    DELETE FROM listing_listednumber AS listed USING wanted
    WHERE listed.product_id = wanted.id
        AND NOT EXISTS (SELECT FROM number WHERE number.product_id = wanted.id
            AND number.code = listed.code AND number.value IS NOT NULL)
    RETURNING listed.product_id
),
-- Words that nobody knew yet count once until the next recount.
learned AS (
    INSERT INTO listing_word (lexeme, products)
    SELECT DISTINCT lexeme, 1 FROM fresh, unnest(tsvector_to_array(fresh.words)) AS lexeme
    ORDER BY lexeme
    ON CONFLICT (lexeme) DO NOTHING
)
SELECT product_id FROM listed UNION SELECT product_id FROM unlisted
UNION SELECT product_id FROM shelved UNION SELECT product_id FROM unshelved
UNION SELECT product_id FROM numbered UNION SELECT product_id FROM unnumbered
